"""Names and addresses of the made-up subscribers; nobody of them exists."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class DemoIsp:
    """One demonstration tenant. The passwords are public: never put such an installation onto the internet."""

    slug: str
    name: str
    contact: str
    locale: str
    regions: tuple[str, ...]
    routers: tuple[tuple[str, str, int], ...]  # name, vendor, index of its region
    streets: tuple[str, ...]
    names: tuple[str, ...]
    cashiers: tuple[tuple[str, str], ...]  # user name, name
    subscribers: int
    username_prefix: str
    phone: str
    offer: tuple[str, str]  # name of a promotion on plans by the quarter, and what subscribers read about it


OWNER_PASSWORD: Final = "broadloom-demo-26"  # noqa: S105
STAFF_PASSWORD: Final = "counter-demo-26"  # noqa: S105

QINGTENG: Final = DemoIsp(
    slug="qingteng",
    name="青藤宽带",
    contact="王海",
    locale="zh",
    regions=("民治一区", "龙华二区", "坂田工业园"),
    routers=(("minzhi", "mikrotik", 0), ("longhua", "huawei", 1), ("bantian", "h3c", 2)),
    streets=("民治大道", "梅龙路", "布龙路", "人民北路", "五和大道", "雪岗路"),
    names=(
        *(
            "李建国",
            "陈晓敏",
            "黄志强",
            "林美玲",
            "张伟民",
            "刘芳",
            "杨丽萍",
            "赵慧敏",
            "周建华",
            "吴秀英",
            "徐丽娟",
            "孙立强",
        ),
        *(
            "马文斌",
            "朱红霞",
            "胡明远",
            "郭立新",
            "何丽萍",
            "高建峰",
            "罗志强",
            "郑小芳",
            "梁国栋",
            "谢文娟",
            "宋志刚",
            "唐家明",
        ),
        *(
            "许文清",
            "韩丽华",
            "冯志涛",
            "邓玉兰",
            "曹俊生",
            "彭美玲",
            "曾海燕",
            "肖建平",
            "田晓彤",
            "董志勇",
            "袁婷婷",
            "潘国庆",
        ),
    ),
    cashiers=(("liying", "李莹"), ("zhaolei", "赵磊")),
    subscribers=60,
    username_prefix="qt",
    phone="0755-8300 0026",
    offer=("季度优惠", "本周续费满一季，立减 ¥10.00。"),
)
LAKESIDE: Final = DemoIsp(
    slug="lakeside",
    name="Lakeside Broadband",
    contact="Hannah Berg",
    locale="en",
    regions=("North shore", "Old town"),
    routers=(("north-shore", "mikrotik", 0), ("old-town", "cisco", 1)),
    streets=("Harbour Road", "Mill Lane", "Station Street", "Birch Avenue"),
    names=(
        *("Ada Moore", "Ben Okafor", "Clara Ruiz", "Dan Weber", "Eva Lindqvist", "Finn Doyle", "Grace Chen"),
        *("Hugo Martin", "Iris Novak", "Jack Palmer", "Kira Singh", "Leo Fischer", "Mona Haddad", "Nils Berg"),
    ),
    cashiers=(("marta", "Marta Silva"),),
    subscribers=24,
    username_prefix="ls",
    phone="+1 555 0126",
    offer=("Quarterly offer", "Renew for a quarter this week and pay $10.00 less."),
)
