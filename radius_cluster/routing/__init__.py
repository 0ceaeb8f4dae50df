"""From a packet to the NAS that sent it and to its tenant (radius.md, "Who is calling")."""
