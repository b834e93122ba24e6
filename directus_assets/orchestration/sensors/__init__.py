"""The sensors and their cursors."""
