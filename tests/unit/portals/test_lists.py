"""The whole state of a list stands in its address."""

from flask import Flask

from portals.shared.lists import Column, ListView

COLUMNS = (
    Column("username", "User name", sort="username", fixed=True),
    Column("balance", "Balance", sort="balance"),
    Column("remark", "Remark", shown=False),
)


def view_of(query: str, cookie: str = "") -> ListView:
    headers = {"Cookie": f"list_accounts={cookie}"} if cookie else {}
    with Flask("test").test_request_context(f"/accounts/?{query}", headers=headers):
        return ListView.from_request("accounts", COLUMNS, sorts=("username", "balance"), filters=("region",))


def test_state_is_read_from_the_address():
    view = view_of("q=li&state=expired&region=3&sort=-balance&cursor=nabc&size=100")
    assert (view.text, view.state, view.filter("region")) == ("li", "expired", "3")
    assert (view.sort, view.cursor, view.size) == ("-balance", "nabc", 100)
    assert view.filtered


def test_nonsense_falls_back_to_the_usual():
    view = view_of("sort=drop&size=7&cols_set=1&cols=unknown")
    assert (view.sort, view.size) == ("username", 50)
    assert [column.key for column in view.visible] == ["username"]
    assert not view.filtered


def test_a_change_keeps_the_rest_and_starts_at_the_first_page():
    view = view_of("q=li&region=3&cursor=nabc")
    assert view.url(state="expired") == "/accounts/?q=li&region=3&state=expired"
    assert view.url(q="") == "/accounts/?region=3"
    assert view.cleared_url() == "/accounts/"
    assert view.kept_fields("q") == [("region", "3")]


def test_sorting_turns_round():
    view = view_of("sort=balance")
    assert view.sorted_as(COLUMNS[1]) == "ascending"
    assert view.sort_url(COLUMNS[1]) == "/accounts/?sort=-balance"
    assert view.sorted_as(COLUMNS[0]) == ""


def test_columns_and_size_are_remembered():
    view = view_of("", cookie="remark/200")
    assert [column.key for column in view.visible] == ["username", "remark"]
    assert view.size == 200
