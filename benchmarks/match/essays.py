"""What the people of the benchmark write about: forty topics, in English and Chinese."""

from typing import Final

TOPICS: Final = (
    ("hiking in the hills", "爬山"), ("cooking for friends", "做饭给朋友吃"),
    ("old films", "老电影"), ("board games", "桌游"), ("running before work", "晨跑"),
    ("playing the piano", "弹钢琴"), ("growing tomatoes", "种番茄"), ("crime novels", "推理小说"),
    ("street photography", "街头摄影"), ("bouldering", "攀岩"), ("baking bread", "烤面包"),
    ("learning languages", "学外语"), ("cycling along rivers", "沿河骑车"), ("yoga", "瑜伽"),
    ("video games", "电子游戏"), ("my two cats", "我的两只猫"), ("walking the dog", "遛狗"),
    ("painting with watercolours", "画水彩"), ("museums on rainy days", "雨天逛博物馆"),
    ("live concerts", "现场音乐会"), ("travelling by train", "坐火车旅行"), ("swimming", "游泳"),
    ("drinking tea", "喝茶"), ("good coffee", "好咖啡"), ("football on Sundays", "周日踢足球"),
    ("badminton", "羽毛球"), ("astronomy", "天文"), ("writing poems", "写诗"),
    ("repairing old radios", "修旧收音机"), ("dancing salsa", "跳萨尔萨舞"),
    ("theatre", "看话剧"), ("chess", "下棋"), ("fishing at dawn", "清晨钓鱼"),
    ("volunteering", "做志愿者"), ("history podcasts", "听历史播客"), ("camping", "露营"),
    ("knitting", "织毛衣"), ("karaoke", "唱卡拉OK"), ("calligraphy", "书法"),
    ("hot pot with too many people", "一大群人吃火锅"),
)  # fmt: skip


def sentences() -> list[str]:
    """Return one sentence a topic, all English ones first."""
    english = [f"Most weekends you will find me with {topic}." for topic, _ in TOPICS]
    return english + [f"周末我多半在{topic}。" for _, topic in TOPICS]
