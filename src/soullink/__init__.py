"""SoulLink: two people's agents live through situations together before they meet."""
