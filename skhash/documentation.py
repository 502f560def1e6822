"""Where the documentation lies, for the links in the HTML reprs of estimators."""

ROOT = "https://skhash.readthedocs.io/en/latest/"


class DocLink:
    """Mixin of the estimators of the front door: their "?" opens their page."""

    _doc_link_module = "skhash"
    _doc_link_template = ROOT + "api/generated/skhash.{estimator_name}.html"
