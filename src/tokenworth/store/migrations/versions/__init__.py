"""One file a revision, in order. What is released is never changed."""
