"""`directus-assets doctor`: checks the whole setup and explains how to fix each problem."""
