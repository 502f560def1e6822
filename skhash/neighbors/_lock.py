"""One change of a database at a time."""

from skhash.locks import ForkedLock

# One for all estimators: changes are rare and short, and estimators stay plain to
# copy and pickle.
changing = ForkedLock().held
