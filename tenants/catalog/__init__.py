"""Plan groups, plans, promotions, rate profiles."""
