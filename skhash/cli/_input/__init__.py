"""Files and folders of items: vectors, images, labels and ids."""
