"""What is spent on engines: prices, the daily budget, the process-wide rate limit, and requests that are paid once.

Serves translations and enrichments alike, and imports neither.
"""
