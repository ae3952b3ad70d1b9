"""The same in English and Chinese."""

PAIRS = (
    ("I love hiking in the mountains", "我喜欢在山里徒步"),
    ("cooking and good food", "做饭和美食"),
    ("I play the guitar in a band", "我会弹吉他"),
    ("reading science fiction novels", "爱看科幻小说"),
    ("my two cats", "我养了两只猫咪"),
    ("video games at night", "晚上打游戏"),
    ("travelling the world", "环游世界旅行"),
    ("programming and computers", "编程和电脑"),
)
