"""The figures of a chart as a table, for those who rather read and for screen readers."""

from typing import Any


def chart_table(option: dict[str, Any] | None, first: str, *, unit: str = "") -> tuple[list[str], list[list[str]]]:
    """(heads, rows) of an ECharts option with categories on its x-axis; rows of nothing but zeros are left out.

    ``first`` heads the categories; ``unit`` follows each figure.
    """
    if option is None:
        return [], []
    series = option["series"]
    heads = [first, *(str(one["name"]) for one in series)]
    rows = [
        [str(category), *(f"{one['data'][place]:,}{unit}" for one in series)]
        for place, category in enumerate(option["xAxis"]["data"])
        if any(one["data"][place] for one in series)
    ]
    return heads, rows
