"""Ranking policies: lists of people, or a lottery over such lists."""

from dataclasses import dataclass

import numpy as np

from soullink.modules.matching.domain.reciprocal.market import Lists, Mask, Matrix, Vector

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Policy:
    """A lottery over rankings: each person's list is drawn, apart from all others', by weights.

    lists: (r, n, k) who is shown to whom at which rank, best first; NOBODY ends a list.
    weights: (r,) chances, sum one. A deterministic policy has r = 1. partners: people to show.
    """

    lists: Lists
    weights: Vector
    partners: int

    @property
    def deterministic(self) -> bool:
        """Whether nothing is drawn."""
        return len(self.weights) == 1

    def examination(self, looks: Vector) -> Matrix:
        """(n, partners) chance that each person looks at each partner, for looks by rank."""
        _, people, length = self.lists.shape
        seen = np.zeros((people, self.partners + 1))
        rows = np.arange(people)[:, None]
        for ranking, weight in zip(self.lists, self.weights, strict=True):
            # Lists hold nobody twice, so a plain indexed addition loses nothing; the last
            # column takes what falls to NOBODY.
            seen[rows, ranking] += weight * looks[:length]
        return seen[:, : self.partners]

    def placement(self) -> Matrix:
        """(n, partners, k) chance that each partner stands at each rank."""
        _, people, length = self.lists.shape
        places = np.zeros((people, self.partners + 1, length))
        rows, ranks = np.arange(people)[:, None], np.arange(length)[None, :]
        for ranking, weight in zip(self.lists, self.weights, strict=True):
            places[rows, ranking, ranks] += weight
        return places[:, : self.partners]

    def draw(self, generator: np.random.Generator) -> Lists:
        """One list a person, (n, k)."""
        chosen = generator.choice(len(self.weights), size=self.lists.shape[1], p=self.weights)
        return np.asarray(self.lists[chosen, np.arange(self.lists.shape[1])])


@dataclass(frozen=True, slots=True)
class Recommendations:
    """What both sides are shown. In a one-sided market left and right are the same policy."""

    left: Policy
    right: Policy


def ranked(scores: Matrix, allowed: Mask, length: int | None = None) -> Lists:
    """Lists by falling score, (n, k); ties by index, NOBODY where nobody allowed is left."""
    size = scores.shape[1] if length is None else min(length, scores.shape[1])
    key = np.where(allowed, scores, -np.inf)
    order = np.argsort(-key, axis=1, kind="stable")[:, :size]
    kept = np.take_along_axis(allowed, order, axis=1)
    return np.where(kept, order, NOBODY).astype(np.int32)


def fixed(lists: Lists, partners: int) -> Policy:
    """The policy that always shows these lists, (n, k)."""
    return Policy(lists[None], np.ones(1), partners)
