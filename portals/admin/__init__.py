"""The staff's portal: subscribers, sessions, money, plans, routers, settings of one ISP."""
