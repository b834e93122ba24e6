"""Clicks on the Studio buttons: the runs they start, and the replies to the editor."""
