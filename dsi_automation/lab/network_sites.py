"""The sites of the lab's network: customs towns of Côte d'Ivoire, where they are, and how they hang together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Town:
    """A site of the network.

    Attributes:
        code: of the site in `dsi_sites`.
        latitude, longitude: decimal degrees, WGS 84, of the middle of the town.
    """

    code: str
    name: str
    latitude: float
    longitude: float


# The first three are the sites of the lab's directory too. From the fourth on, every third one hangs on the one before.
TOWNS: Final = (
    Town("ABJ", "Abidjan", 5.3600, -4.0083),
    Town("SPY", "San-Pédro", 4.7485, -6.6363),
    Town("BKE", "Bouaké", 7.6906, -5.0391),
    Town("MAN", "Man", 7.4125, -7.5538),
    Town("YAM", "Yamoussoukro", 6.8276, -5.2893),
    Town("DAL", "Daloa", 6.8774, -6.4502),
    Town("SEG", "Séguéla", 7.9611, -6.6731),
    Town("GAG", "Gagnoa", 6.1319, -5.9506),
    Town("ABG", "Abengourou", 6.7297, -3.4964),
    Town("AGN", "Agnibilékrou", 7.1311, -3.2041),
    Town("DIV", "Divo", 5.8372, -5.3572),
    Town("BDK", "Bondoukou", 8.0402, -2.8000),
    Town("BNA", "Bouna", 9.2667, -3.0000),
    Town("ABO", "Aboisso", 5.4678, -3.2071),
    Town("GUI", "Guiglo", 6.5436, -7.4933),
    Town("TLP", "Toulépleu", 6.5794, -8.4117),
    Town("TAB", "Tabou", 4.4230, -7.3528),
    Town("FKE", "Ferkessédougou", 9.5928, -5.1983),
    Town("OGL", "Ouangolodougou", 9.9664, -5.1530),
    Town("SAS", "Sassandra", 4.9538, -6.0853),
    Town("DUE", "Duékoué", 6.7472, -7.3492),
    Town("DAN", "Danané", 7.2596, -8.1550),
    Town("SOU", "Soubré", 5.7836, -6.5939),
    Town("ODI", "Odienné", 9.5051, -7.5643),
    Town("TOU", "Touba", 8.2833, -7.6833),
    Town("AGV", "Agboville", 5.9280, -4.2132),
    Town("DIM", "Dimbokro", 6.6466, -4.7052),
    Town("BGR", "Bongouanou", 6.6517, -4.2041),
    Town("KAT", "Katiola", 8.1373, -5.1009),
    Town("GBM", "Grand-Bassam", 5.2118, -3.7388),
)
NEW: Final = Town("KOR", "Korhogo", 9.4580, -5.6296)
"""A site without a router: what `router.interconnect` is asked about."""
MOST_ROUTERS: Final = len(TOWNS)
