"""What the report says, in both languages."""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Language, Text

WORDS: Final[Mapping[str, Text]] = {
    "title": {"en": "Fairness of matching", "zh": "匹配的公平性"},
    "data": {
        "en": (
            "{people} people, {dates} dates, {waves} evenings. Scores: {model}, learned from "
            "{trained}. Recommended means: among the first {top} of a list. Intervals: 95 %, "
            "{draws} draws of {cluster}, seed {seed}."
        ),
        "zh": (
            "{people} 人，{dates} 次约会，{waves} 个晚上。评分模型：{model}，由{trained}训练。"
            "“被推荐”指排在列表前 {top} 位。区间：95 %，对{cluster}重抽样 {draws} 次，种子 {seed}。"
        ),
    },
    "ours": {"en": "our interest model before anybody met", "zh": "我们的兴趣模型（见面之前）"},
    "logistic": {"en": "plain logistic regression", "zh": "普通逻辑回归"},
    "other waves": {"en": "the other evenings", "zh": "其他晚上的数据"},
    "another file": {"en": "another file", "zh": "另一个文件"},
    "people": {"en": "people on both sides", "zh": "双方的人"},
    "wave": {"en": "evenings", "zh": "晚上"},
    "race_note": {
        "en": "Race is no feature of any score. It is read here to compare groups, and only here.",
        "zh": "种族不是任何评分的特征；只在此处读取，用于比较各组。",
    },
    "found": {
        "en": (
            "Before mitigation {found} of {count} comparisons have an interval without “no "
            "difference” ({expected} would by chance alone); {adjusted} after Holm's correction."
        ),
        "zh": (
            "缓解之前，{count} 项比较中有 {found} 项的区间不含“无差异”"
            "（仅凭偶然约有 {expected} 项）；经 Holm 校正后剩 {adjusted} 项。"
        ),
    },
    "few": {
        "en": (
            "{waves} evenings are few. That no difference is found does not mean that there is "
            "none: a gap inside its interval may be as large as the interval is."
        ),
        "zh": (
            "{waves} 个晚上并不多。没有发现差异不等于没有差异："
            "区间有多宽，未被发现的差距就可能有多大。"
        ),
    },
    "lists": {"en": "Who is shown: lists before mitigation", "zh": "谁被展示：缓解之前的列表"},
    "lists_note": {
        "en": (
            "Attention: a place counts 1 / rank. 1.00 is an even share; races are compared inside "
            "the same side of the same evening, genders inside the evening. For its yeses: the "
            "same, over the share of yeses that the group received. Gaps are the group less all "
            "others, in chances. * the interval leaves out an even share or no gap."
        ),
        "zh": (
            "关注：第 k 位计 1 / k。1.00 为均等份额；种族在同一晚同一性别内比较，"
            "性别在同一晚内比较。"
            "“按所获同意”：再除以该组所获同意的份额。差距为该组减去其他人（概率）。"
            "* 区间不含均等或零差距。"
        ),
    },
    "scores": {"en": "What scores promise, before mitigation", "zh": "缓解之前评分的承诺"},
    "scores_note": {
        "en": (
            "Shown: the group is judged. Viewer: the group judges. Promised: mean chance less "
            "share of yeses, above 0 is too much; the gap is that less all others'. Slope below 1: "
            "too extreme. Error (ECE) beside the one that chance alone stays below 19 times in 20."
        ),
        "zh": (
            "被展示者：该组被评价。浏览者：该组作评价。承诺偏差：平均预测概率减去实际同意率，"
            "大于 0 为承诺过多；差距为其与其他人之差。斜率小于 1：过于极端。"
            "误差（ECE）旁为偶然情况下二十次中十九次不超过的值。"
        ),
    },
    "mitigation": {
        "en": "What mitigation changes, and what it costs",
        "zh": "缓解带来的变化与代价",
    },
    "mitigation_note": {
        "en": (
            "Changes are after less before, by the same draws. Distance: how far the races are "
            "from an even share of attention, or from being promised alike (mean over people). "
            "Matches: both look (1 / rank each) and both truly said yes. * the interval leaves "
            "out no change. † has to know everybody's race when it ranks or scores: a yardstick, "
            "not for use. ‡ knows nothing of anybody: gains up to there come from lists that "
            "agree with each other, not from scores."
        ),
        "zh": (
            "变化为缓解后减缓解前（相同重抽样）。距离：各种族偏离均等关注、或偏离同等承诺的程度"
            "（按人平均）。配对：双方都看到（各计 1 / 名次）且都确实同意。* 区间不含“无变化”。"
            "† 排序或评分时必须知道每个人的种族：仅作尺度，不可使用。"
            "‡ 对任何人一无所知：到此为止的增益来自双方列表的一致，而非评分。"
        ),
    },
    "exposure_chart": {
        "en": "Attention of each race, before and after",
        "zh": "各种族所获关注：前与后",
    },
    "exposure_chart_note": {
        "en": "1.00 is an even share. Bars are 95 % intervals.",
        "zh": "1.00 为均等份额。横线为 95 % 区间。",
    },
    "promise_chart": {
        "en": "What is promised too much to those shown, before and after",
        "zh": "对被展示者的过度承诺：前与后",
    },
    "promise_chart_note": {
        "en": (
            "Chance of a yes, group less others. Making the promise true for every group means "
            "telling apart groups that are chosen less: see what it does to their attention above."
        ),
        "zh": (
            "同意的概率，该组减其他人。要让每一组的承诺都属实，就得区分较少被选择的组："
            "请看上图它对其关注的影响。"
        ),
    },
    "trade_chart": {"en": "Matches and equality of attention", "zh": "配对数与关注的均等"},
    "trade_chart_note": {
        "en": "To the left attention is shared more equally (Gini); up: more matches an evening.",
        "zh": "越靠左关注越均等（基尼系数）；越靠上每晚配对越多。",
    },
    "proxies": {"en": "What answers tell of race", "zh": "回答透露了多少种族信息"},
    "proxies_note": {
        "en": (
            "AUC of telling each race from all others by the answers that scores may use, out of "
            "wave. .50 is not at all; what lies above, a model could know without being told."
        ),
        "zh": (
            "仅凭评分可用的回答区分某种族与其他人的 AUC（跨晚上检验）。"
            "0.50 为完全不能：高出的部分就是模型未被告知也能得知的信息。"
        ),
    },
    "small": {"en": "Too small to say anything", "zh": "人数太少，不作结论"},
    "small_note": {
        "en": "Fewer than {least} people (or {cases} dates with or without the outcome): {groups}.",
        "zh": "少于 {least} 人（或有无该结果的约会不足 {cases} 次）：{groups}。",
    },
    "read": {"en": "How to read this", "zh": "如何解读"},
    "read_1": {
        "en": (
            "Yeses are what people decided on the evening, with whatever preferences they have. "
            "Equal error rates and true promises are fair only as far as those decisions are."
        ),
        "zh": (
            "同意与否是人们当晚的决定，带有各自的偏好。"
            "错误率均等与承诺属实，只在这些决定公平时才公平。"
        ),
    },
    "read_2": {
        "en": (
            "Attention, error rates and promises cannot all be even at once while groups are "
            "chosen at different rates (Kleinberg, Mullainathan & Raghavan 2016)."
        ),
        "zh": "只要各组被选择的比率不同，关注、错误率与承诺就不能同时均等（Kleinberg 等，2016）。",
    },
    "read_3": {
        "en": (
            "Intervals cover the people of these evenings, not other cities or years, and not the "
            "chance in learning the model."
        ),
        "zh": "区间只反映这些晚上的人，不包括其他城市或年份，也不包括训练模型的偶然性。",
    },
    "group": {"en": "Group", "zh": "组"},
    "people_count": {"en": "People", "zh": "人数"},
    "role": {"en": "Role", "zh": "角色"},
    "provider": {"en": "shown", "zh": "被展示者"},
    "consumer": {"en": "viewer", "zh": "浏览者"},
    "method": {"en": "Method", "zh": "方法"},
    "exposure_ratio": {"en": "Attention", "zh": "关注"},
    "exposure_per_merit": {"en": "For its yeses", "zh": "按所获同意"},
    "recommended_gap": {"en": "Recommended", "zh": "被推荐"},
    "tpr_gap": {"en": "True positives", "zh": "真阳性率"},
    "fpr_gap": {"en": "False positives", "zh": "假阳性率"},
    "matches_gap": {"en": "Matches", "zh": "配对"},
    "calibration_in_the_large": {"en": "Promised", "zh": "承诺偏差"},
    "calibration_gap": {"en": "Gap", "zh": "差距"},
    "calibration_slope": {"en": "Slope", "zh": "斜率"},
    "ece": {"en": "ECE (chance)", "zh": "ECE（偶然）"},
    "auc": {"en": "AUC", "zh": "AUC"},
    "auc_gap": {"en": "AUC gap", "zh": "AUC 差距"},
    "auc_from_answers": {"en": "AUC from answers", "zh": "由回答得到的 AUC"},
    "exposure_distance": {"en": "Distance: attention", "zh": "距离：关注"},
    "calibration_distance": {"en": "Distance: promises", "zh": "距离：承诺"},
    "matches_per_wave": {"en": "Matches an evening", "zh": "每晚配对"},
    "decision_auc": {"en": "Decision AUC", "zh": "决定的 AUC"},
    "list_auc": {"en": "List AUC", "zh": "列表的 AUC"},
    "gini": {"en": "Gini", "zh": "基尼系数"},
    "before": {"en": "before", "zh": "缓解前"},
    "after": {"en": "after", "zh": "缓解后"},
    "model": {"en": "the model", "zh": "模型"},
    "product": {"en": "product (before)", "zh": "乘积（缓解前）"},
    "recalibrated": {"en": "recalibrated, no group", "zh": "重新校准，不看组"},
    "evened": {"en": "evened in training", "zh": "训练时拉平"},
    "by-group": {"en": "calibrated by group †", "zh": "按组校准 †"},
    "floor": {"en": "floor of attention", "zh": "关注下限"},
    "group-parity": {"en": "parity of groups †", "zh": "组间均等 †"},
    "equilibrium": {"en": "equilibrium (TU)", "zh": "均衡（TU）"},
    "social-welfare": {"en": "social welfare", "zh": "社会福利"},
    "nash-welfare": {"en": "Nash welfare", "zh": "纳什福利"},
    "coordinated": {"en": "coordinated", "zh": "协调"},
    "uninformed": {"en": "coordinated, no scores ‡", "zh": "协调，无评分 ‡"},
    "gender": {"en": "gender", "zh": "性别"},
    "race": {"en": "race", "zh": "种族"},
    "race x gender": {"en": "race and gender", "zh": "种族与性别"},
    "woman": {"en": "women", "zh": "女性"},
    "man": {"en": "men", "zh": "男性"},
    "white": {"en": "White", "zh": "白人"},
    "asian": {"en": "Asian", "zh": "亚裔"},
    "latino": {"en": "Latino", "zh": "拉丁裔"},
    "black": {"en": "Black", "zh": "黑人"},
    "native": {"en": "Native American", "zh": "美洲原住民"},
    "other": {"en": "other", "zh": "其他"},
}


def said(name: str, language: Language, **values: object) -> str:
    """Return the words called `name`, values put in."""
    return WORDS[name][language].format(**values)


def group_said(group: str, language: Language) -> str:
    """Return a group's name, e.g. "Asian women"; unknown names as they are."""
    parts = [WORDS[part][language] if part in WORDS else part for part in group.split(" ")]
    return ("" if language == "zh" else " ").join(parts)


def method_said(method: str, language: Language) -> str:
    """Return a method's name; unknown ones as they are."""
    return WORDS[method][language] if method in WORDS else method
