"""Stages of a training plan, read from the records of its epochs."""

from numbers import Number


def stages_of(rows, epochs):
    """First epoch, last epoch and name of each run of epochs of one stage.

    A row has the settings of its stage between "stage" and "train_loss".
    """
    settings = [_settings(row) for row in rows]
    keys = [(row.get("stage"), own) for row, own in zip(rows, settings, strict=True)]
    starts = [n for n in range(len(rows)) if n == 0 or keys[n] != keys[n - 1]]
    changing = {
        name
        for name in settings[0]
        if len({repr(settings[start].get(name)) for start in starts}) > 1
    }
    names = [
        ", ".join(_words(k, v) for k, v in settings[start].items() if k in changing)
        for start in starts
    ]
    return [
        (int(epochs[start]), int(epochs[stop - 1]), name or f"stage {place}")
        for place, (start, stop, name) in enumerate(
            zip(starts, [*starts[1:], len(rows)], names, strict=True), start=1
        )
    ]


def _settings(row):
    names = list(row)
    if "stage" not in names:
        return {}
    stop = names.index("train_loss")
    between = names[names.index("stage") + 1 : stop]
    return {name: row[name] for name in between}


def _words(name, value):
    name = name.replace("_", " ")
    if isinstance(value, bool):
        return name if value else ""
    return f"{name} = {value:.3g}" if isinstance(value, Number) else f"{name} = {value}"
