"""`directus-assets prune`: deletes what is proven to be of no use, and puts it back on request."""
