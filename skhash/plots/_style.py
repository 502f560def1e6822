"""Colours, lines and marks that can be told apart by everyone, and in grey.

The colours are those of M. Okabe and K. Ito, "Color universal design", 2008, without
yellow, which is too pale for lines on white. Colour is never alone: lines differ in
dashes and marks as well.
"""

BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"
COLORS = (BLUE, VERMILION, GREEN, "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")
GREY = "#767676"
# Lines of this many points or more show marks only here and there: at this share of
# the panel's diagonal.
_MANY, _APART = 14, 0.12
# Points of a scatter that a vector file may hold one by one.
MOST_VECTORS = 5000


def nth_style(n):
    """Colour, dashes and mark of the n-th line of a panel; they repeat after 385."""
    return {
        "color": COLORS[n % len(COLORS)],
        "linestyle": DASHES[n % len(DASHES)],
        "marker": MARKERS[n % len(MARKERS)],
        "markersize": 4.5,
        "linewidth": 1.6,
    }


def next_style(ax):
    """Style of the next line, by the number of lines that the panel has."""
    return nth_style(len(ax.get_lines()))


def draw_line(ax, x, y, style, **kwargs):
    """Draw a line in `style`, which the user's `kwargs` override."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    wanted = {**style, **normalize_kwargs(kwargs, Line2D)}
    if len(x) >= _MANY and "markevery" not in wanted:
        # Marks of lines drawn one after another do not sit on one another.
        wanted["markevery"] = (len(ax.get_lines()) % 4 * _APART / 4, _APART)
    (line,) = ax.plot(x, y, **wanted)
    return line


def draw_band(line, x, low, high):
    """Draw the band from `low` to `high` around a line, if there are both."""
    if low is None or high is None:
        return None
    color = line.get_color()
    return line.axes.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)


def style_panel(ax):
    """The looks that all panels share."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color="0.5", alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)


def legend(ax, **kwargs):
    """A legend, if anything has a name; matplotlib looks for the emptiest place."""
    if not ax.get_legend_handles_labels()[1]:
        return None
    return ax.legend(**{"loc": "best", "frameon": True, "edgecolor": "0.8", **kwargs})


def legend_beside(ax, **kwargs):
    """A legend to the right of a panel, where it covers nothing."""
    place = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5), "borderaxespad": 0.3}
    return legend(ax, **{**place, "fontsize": "small", **kwargs})
