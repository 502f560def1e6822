"""DeepHashEncoder: check, build, train, pack."""

from __future__ import annotations

from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    _fit_context,
)

from skhash.documentation import DocLink
from skhash.encoder import _fit
from skhash.encoder._check import check_parameters
from skhash.encoder._constraints import CONSTRAINTS
from skhash.encoder._data.inputs import same_classes
from skhash.encoder._data.training import check_data, check_own_validation
from skhash.encoder._restoring import unchanged_by_errors
from skhash.encoder._sklearn_callbacks import CallbackSupportMixin, with_callbacks
from skhash.encoder._supervision import check_alike, learns_from
from skhash.encoder._threads import torch_threads
from skhash.encoder._transform import Encoding
from skhash.hints import OptionErrors
from skhash.losses import LOSSES


class DeepHashEncoder(
    DocLink,
    OptionErrors,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    Encoding,
    BaseEstimator,
):
    """Learn short binary codes with a torch network, from labels or from vectors.

    The network returns one real number z a bit; a bit is ``z > 0``. Codes of items
    with the same label end up close in Hamming distance, codes of other items far.
    ``loss="neighbor_distillation"`` needs no labels: codes of near vectors end up
    close.

    Parameters
    ----------
    n_bits : int, default=32
        Length of the codes, 1 to 4096.
    loss : str or HashLoss, default="dual_hinge"
        Name in `skhash.losses.LOSSES`, or an instance such as ``DCWH(margin=1.5)``.
        With a name, ``set_params(loss__shape=2)`` makes the instance, so that grid
        search can reach every hyper-parameter of the loss.
    network : str, torch.nn.Module or callable, default="auto"
        "linear", "mlp", "residual" (the two side by side) or "convnet"; "auto" is
        "convnet" for images, and for other data "mlp" or what the loss prefers. A
        module is a body of any output width and gets a hash layer put on top (see
        `skhash.networks.wrap` to freeze it). A function ``(input_shape, n_bits) ->
        nn.Module`` builds any other network.
    input_shape : tuple of int, default=None
        What flat rows of X mean: (height, width) or (height, width, channels).
        (3, 32, 32) and its like, which can only be channels first, are read so.
    optimizer : {"adamw", "adam", "sgd"} or callable, default="adamw"
        The optimiser, or a class like `torch.optim.RMSprop`.
    lr : float, default=3e-3
        Learning rate; the peak of the schedule.
    lr_schedule : {"one_cycle", "cosine", "constant"}, default="one_cycle"
        Course of the learning rate over the training.
    weight_decay : float, default=1e-3
        Weight decay of the optimiser.
    max_epochs : int or "auto", default="auto"
        Passes over the data. "auto" takes at least 10 passes and 1000 optimisation
        steps, whichever is longer; of vectors, 2500 steps where 50 passes make as many.
    batch_size : int or "auto", default="auto"
        Most items in a batch. "auto" is what the loss wants: 128 of labels, 1024 of
        vectors. Batches are of equal size; pairs are formed inside a
        batch.
    balanced_batches : bool, int or "auto", default="auto"
        Class-balanced batches with 4 (or this many) items of each class instead of
        shuffled ones. "auto" uses them where the loss gains from them and shuffled
        batches would hold fewer than 4 items of the typical class; and where y names
        pairs (`skhash.datasets.label_sets_from_pairs`), each item comes with a random
        one of its partners. Where vectors supervise, a batch always
        holds items with some of their nearest neighbours.
    augment : {"flip", "crop_flip"} or callable, default=None
        Random changes of training images. "flip" mirrors half of them, left to right;
        "crop_flip" also shifts them by up to an eighth of a side, the border filled
        by reflection. A function ``augment(batch, generator)`` gets a batch as a tensor
        of shape (n, channels, height, width) in the dtype of X, before it is
        standardised, and a `torch.Generator`; it returns a tensor of that shape.
        Draws depend on `random_state` and the numbers of epoch and batch alone.
        Whatever is not training (codes, validation, centres) sees images as they are.
    normalize_z : bool or "auto", default="auto"
        Batch-normalise z without scale and shift; "auto" does as the loss says.
    early_stopping : bool, default=False
        Stop when the retrieval of validation data from the training data (tie-aware
        mean average precision; of vectors, the recall of the 10 nearest) does not rise
        any more, and keep the best weights.
        Part of the data is held out for it, unless `fit` is given `X_val`. A plan of
        several stages may end before its last one, but not in pre-training.
    validation_fraction : float, default=0.1
        Share of the data held out for early stopping.
    n_iter_no_change : int, default=5
        Epochs without a better score before training stops.
    output : {"packed", "bits", "signs", "embedding"}, default="packed"
        What `transform` returns: packed codes (uint8, 8 bits a byte), bits (bool),
        signs (int8, -1 and +1) or z (float32).
    device : str, default="auto"
        Torch device; "auto" is the GPU if there is one.
    n_jobs : int, default=None
        Threads of torch. None takes one for small networks and else all cores, in
        joblib's workers too: only a fixed number gives the same codes everywhere. Set
        it to 1 for searches that train many large networks side by side.
    warm_start : bool, default=False
        Start from the weights of the previous `fit`.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, batches, dropout, centres and validation split. The same
        integer gives the same codes on every joblib backend; global generators are
        neither used nor changed.
    callbacks : list of skorch callbacks, default=None
        Copied before training (not what they hold: a list to fill or a trial to
        report to is yours), and kept in ``net_.callbacks_``. One that raises
        ``KeyboardInterrupt`` ends the training. Monitor ``"valid_score"`` or
        ``"train_loss"``.
    net_params : dict, default=None
        Further parameters of the skorch net, e.g. ``{"compile": True}``,
        ``{"optimizer__betas": (0.9, 0.99)}``. May not contain ``criterion*`` or
        ``module*``. ``{"amp": True}`` trains in bfloat16, and "auto" does so for
        convolutions where the processor has instructions for it (``net_.amp`` tells);
        the default is False, so that codes are the same on all machines. The loaders
        of a Dataset take ``{"iterator_train__num_workers": 4}`` for training and
        ``{"iterator_valid__num_workers": 4}`` for all else, `transform` included.
    checkpoint : str or path, default=None
        A file that keeps the state of the training after each epoch. A training that
        was cut (Ctrl-C, a crash, the end of the machine's time) is continued by the
        same `fit` call, to the same codes as if it had not been; the file is deleted
        at the end of `fit`. It is verified when it is read, and holds no code. It
        belongs to one training: not for searches.
    verbose : int, default=0
        1 shows how far training and encoding are: a line with epoch, loss, score and
        the time left, rewritten in a terminal and in a notebook.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained skorch net.
    loss_ : HashLoss
        The loss with its learnt state.
    classes_ : ndarray of shape (n_classes,)
        The labels; column numbers for multi-label data. Of vectors there are none.
    class_codes_ : ndarray of shape (n_classes, n_bits)
        Mean sign of each bit in each class. Not for multi-label data.
    multilabel_ : bool
        Whether y was a 0/1 matrix.
    history_ : list of dict
        One row an epoch: stage, loss and its terms, learning rate, seconds, code
        health; ``valid_score`` and ``valid_loss`` where there is validation data.
    n_features_in_ : int
        Number of values of an item.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X, where it has any.
    input_shape_ : tuple of int
        Shape of an item.
    n_iter_ : int
        Epochs trained.

    See Also
    --------
    skhash.neighbors.HammingNeighbors : Search for the nearest codes.
    skhash.metrics.mean_average_precision_scorer : Retrieval score for grid search.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skhash import DeepHashEncoder, HammingNeighbors
    >>> X, y = load_digits(return_X_y=True)
    >>> encoder = DeepHashEncoder(n_bits=16, random_state=0).fit(X[:1500], y[:1500])
    >>> codes = encoder.transform(X)
    >>> codes.shape, codes.dtype
    ((1797, 2), dtype('uint8'))
    >>> database = HammingNeighbors().fit(codes[:1500], y[:1500])
    >>> database.score(codes[1500:], y[1500:]) > 0.9
    True
    """

    _parameter_constraints = CONSTRAINTS

    def __init__(
        self,
        n_bits=32,
        *,
        loss="dual_hinge",
        network="auto",
        input_shape=None,
        optimizer="adamw",
        lr=3e-3,
        lr_schedule="one_cycle",
        weight_decay=1e-3,
        max_epochs="auto",
        batch_size="auto",
        balanced_batches="auto",
        augment=None,
        normalize_z="auto",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        output="packed",
        device="auto",
        n_jobs=None,
        warm_start=False,
        random_state=None,
        callbacks=None,
        net_params=None,
        checkpoint=None,
        verbose=0,
    ):
        self.n_bits = n_bits
        self.loss = loss
        self.network = network
        self.input_shape = input_shape
        self.optimizer = optimizer
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.weight_decay = weight_decay
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.balanced_batches = balanced_batches
        self.augment = augment
        self.normalize_z = normalize_z
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.output = output
        self.device = device
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.random_state = random_state
        self.callbacks = callbacks
        self.net_params = net_params
        self.checkpoint = checkpoint
        self.verbose = verbose

    def set_params(self, **params):
        """Set parameters; a `loss` given by name becomes its object for ``loss__*``.

        Parameters
        ----------
        **params : dict
            Parameters of the encoder, and ``loss__<name>`` of its loss.

        Returns
        -------
        self : DeepHashEncoder

        Raises
        ------
        ValueError
            If there is no such parameter, or no loss of that name.
        """
        loss = params.get("loss", self.loss)
        nested = any(name.startswith("loss__") for name in params)
        if nested and isinstance(loss, str):
            if loss not in LOSSES:
                raise ValueError(
                    f"loss={loss!r} has no parameters to set: it is not one of "
                    f"{sorted(LOSSES)}."
                )
            params["loss"] = LOSSES[loss]()
        return super().set_params(**params)

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None, *, X_val=None, y_val=None):
        """Learn the codes.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, h, w) or (n, h, w, c)
            Training items, at least 2: features (a CSR matrix, too) or images.
            Arrays keep their dtype and place: uint8 stays uint8, a memmap stays on
            disk. Or a torch Dataset of (item, label) pairs, its images of shape
            (c, h, w). 1, 3 or 4 channels are found on either side of an image whose
            sides are longer than 4.
        y : array-like of shape (n,) or (n, n_classes)
            Labels of any type, or a 0/1 matrix for several labels an item (-1/+1 says
            the same; see :func:`skhash.hamming.check_labels`), or pairs of similar
            items, by :func:`skhash.datasets.label_sets_from_pairs`. May be left out
            for a Dataset. A loss of vectors ignores y, or with ``teacher="y"`` takes
            real vectors of shape (n, d), see `skhash.losses.NeighborDistillation`.
        sample_weight : array-like of shape (n,), default=None
            Weights of the items in the loss; items of weight 0 are dropped.
        X_val : as X, default=None
            Validation items: after each epoch their retrieval from the training items
            and their loss go into `history_`. With ``early_stopping=True`` they take
            the place of the part held out. A data set that augments its items goes
            well with one for validation that does not.
        y_val : as y, default=None
            Their labels, all of which y has; may be left out for a Dataset.

        Returns
        -------
        self : DeepHashEncoder

        Raises
        ------
        ValueError
            If X, y, the weights or the validation data cannot be used, a parameter
            is wrong, or the file of `checkpoint` belongs to another training.
        KeyboardInterrupt
            On Ctrl-C. As after any error, the encoder is what it was before the call.

        Warns
        -----
        ConvergenceWarning
            If the codes collapsed, bits are dead or the loss is not finite.
        """
        check_parameters(self, own_valid=X_val is not None)
        metadata = {"sample_weight": sample_weight}
        with torch_threads(1), unchanged_by_errors(self):
            data = check_data(self, X, y, sample_weight)
            valid = check_own_validation(self, X_val, y_val, data)
            _fit.fit(self, data, valid, {"X": X, "y": y, "metadata": metadata})
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, classes=None, sample_weight=None):
        """Train for one epoch on these items, at a constant learning rate.

        The first call builds the network and fixes the standardisation; every call
        trains by the last stage of the loss's plan.

        Parameters
        ----------
        X : as in `fit`
            Items, at least 2.
        y : as in `fit`
            Their labels.
        classes : array-like of shape (n_classes,), default=None
            All labels there will ever be; needed by the first call where its y does not
            hold them all.
        sample_weight : array-like of shape (n,), default=None
            Weights of the items.

        Returns
        -------
        self : DeepHashEncoder

        Raises
        ------
        ValueError
            If `classes` is not that of the first call, y has a label that it does not
            hold, or the items do not fit those seen before.
        KeyboardInterrupt
            On Ctrl-C. As after any error, the encoder is what it was before the call.
        """
        first = not hasattr(self, "net_")
        if not first:
            check_alike(self)
        if learns_from(self) != "labels":
            if classes is not None:
                raise ValueError(
                    f"classes={classes!r} is for losses that learn from labels; "
                    f"loss={self.loss!r} learns from vectors."
                )
        elif not first:
            if classes is not None and not same_classes(classes, self.classes_):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on last call to "
                    f"partial_fit, was: {self.classes_!r}"
                )
            classes = self.classes_
        check_parameters(self, partial=True)
        with torch_threads(1), unchanged_by_errors(self):
            data = check_data(self, X, y, sample_weight, classes=classes, reset=first)
            _fit.partial_fit(self, data, first=first)
        return self

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        learns = learns_from(self)
        tags.target_tags.required = learns != "X"
        if learns == "labels":
            tags.classifier_tags.multi_label = True
        else:
            tags.estimator_type = tags.classifier_tags = None
            tags.target_tags.multi_output = learns == "y"
            tags.target_tags.single_output = learns != "y"
        tags.input_tags.sparse = tags.input_tags.three_d_array = learns != "X"
        tags.transformer_tags.preserves_dtype = []
        return tags
