"""A market whose truth is known: rewards of lists under any ranker."""

import json

import numpy as np

from soullink.modules.matching.domain.reciprocal.exploration import (
    epsilon_lists,
    epsilon_placement,
)
from soullink.modules.matching.domain.reciprocal.market import looks
from soullink.modules.matching.domain.reciprocal.policies import ranked

PARTNERS = 6
RANKS = 4


class Simulated:
    """Viewers and partners; the old ranker follows poor scores, the new one the truth."""

    def __init__(self, viewers: int, epsilon: float = 0.5) -> None:
        draw = np.random.default_rng(0)
        self.viewers, self.epsilon = viewers, epsilon
        self.yes = draw.uniform(0.1, 0.9, (viewers, PARTNERS))
        self.looks = looks(RANKS)
        self.open = np.ones((viewers, PARTNERS), dtype=bool)
        self.old = ranked(self.yes + draw.normal(0, 0.5, self.yes.shape), self.open, RANKS)
        self.new = ranked(self.yes, self.open, RANKS)

    def truth(self) -> float:
        """Expected yeses a list under the new ranker, which explores a little (0.1)."""
        best = (np.take_along_axis(self.yes, self.new, axis=1) * self.looks).sum(axis=1)
        random = self.yes.mean(axis=1) * self.looks.sum()
        return float((0.9 * best + 0.1 * random).mean())

    def lines(self, seed: int, model_error: float = 0.1) -> list[str]:
        """One logged list a viewer, with a model's predictions that are a little off."""
        draw = np.random.default_rng((seed, 1))  # apart from those of lists and market
        logged = epsilon_lists(self.old, self.open, self.epsilon, seed + 1_000)
        target = epsilon_placement(logged.lists, self.new, self.open, 0.1)
        likes = np.take_along_axis(self.yes, logged.lists, axis=1) * self.looks
        reward = draw.random(likes.shape) < likes
        model = np.clip(self.yes + model_error, 0, 1)
        predicted = np.take_along_axis(model, logged.lists, axis=1) * self.looks
        best = (np.take_along_axis(model, self.new, axis=1) * self.looks).sum(axis=1)
        whole = 0.9 * best + 0.1 * model.mean(axis=1) * self.looks.sum()
        return [
            json.dumps(
                {
                    "viewer": f"p{i}",
                    "propensity": logged.propensity[i].tolist(),
                    "target": target[i].tolist(),
                    "reward": reward[i].astype(int).tolist(),
                    "predicted": predicted[i].tolist(),
                    "target_predicted": float(whole[i]),
                }
            )
            for i in range(self.viewers)
        ]
