"""The order of the gallery: from the first steps on, not that of the alphabet."""

ORDER = (
    "plot_quick_start",
    "plot_photo_folder",
    "plot_near_duplicates",
    "plot_duplicate_texts",
    "plot_families",
    "plot_code_length",
    "plot_ties",
    "plot_compare_encoders",
    "plot_binarise_embeddings",
    "plot_shallow_baselines",
    "plot_label_free",
    "plot_teacher",
    "plot_multilabel",
    "plot_continuation",
    "plot_two_steps",
    "plot_gamma_shape",
    "plot_pipeline_search",
    "plot_halving",
    "plot_optuna_pruning",
    "plot_nested_lengths",
    "plot_own_loss",
    "plot_own_network",
    "plot_fine_tuning",
)


class TeachingOrder:
    """Sort key of sphinx-gallery; files that have no place here come last."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return "TeachingOrder"

    def __call__(self, filename: str) -> tuple[int, str]:
        name = filename.removesuffix(".py")
        place = ORDER.index(name) if name in ORDER else len(ORDER)
        return place, filename
