"""Values that every business package speaks in: money, periods, units, ids, errors; standard library only."""
