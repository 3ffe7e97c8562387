"""The README.txt of an export: French first, then English."""

from typing import Final

README: Final = """\
EXPORT DU JOURNAL
=================

journal.jsonl       une entrée par ligne ; chaque ligne, sans sa fin de ligne, est exactement ce qui a été haché
hashes.txt          l'empreinte SHA-256 de chaque ligne, dans l'ordre
signatures/N.*      ce qu'une personne a signé dans l'entrée N : le document, la signature (.sig), l'usage
                    (.namespace), la personne (.principal) et le moment (.time)
allowed_signers     la clé de chacun et ses dates de validité ; à comparer avec une source indépendante
checkpoints.jsonl   les points de contrôle signés par le contrôleur ; le dernier est aussi dans checkpoint.document
                    et checkpoint.sig

Vérifier une entrée, ici la cinquième : les deux empreintes doivent être identiques.
    sed -n 5p journal.jsonl | tr -d '\\n' | sha256sum ; sed -n 5p hashes.txt
Chaque ligne porte dans « prev » l'empreinte de la ligne précédente.
Vérifier une signature, ici celle de l'entrée 5 :
    ssh-keygen -Y verify -f allowed_signers -I "$(cat signatures/5.principal)" \\
      -n "$(cat signatures/5.namespace)" -s signatures/5.sig \\
      -Overify-time="$(cat signatures/5.time)" < signatures/5.document
Vérifier le dernier point de contrôle :
    ssh-keygen -Y verify -f allowed_signers -I controller -n dsi-checkpoint \\
      -s checkpoint.sig < checkpoint.document
Tout vérifier d'un coup : sh check.sh (le même texte est dans docs/how-to/verify-a-journal-export.md).
Seul un point de contrôle conservé AILLEURS révèle que la fin du journal et les points de contrôle ont été coupés
ensemble par l'administrateur du contrôleur.


EXPORT OF THE JOURNAL
=====================

journal.jsonl       one entry a line; each line, without its end, is exactly what was hashed
hashes.txt          the SHA-256 of each line, in order
signatures/N.*      what a person signed in entry N: the document, the signature (.sig), what for (.namespace),
                    who (.principal) and when (.time)
allowed_signers     whose key is which, and its dates; compare it with a source of your own
checkpoints.jsonl   checkpoints signed by the controller; the last one is also in checkpoint.document and
                    checkpoint.sig

Verify an entry, here the fifth: both hashes must be the same.
    sed -n 5p journal.jsonl | tr -d '\\n' | sha256sum ; sed -n 5p hashes.txt
Each line has in "prev" the hash of the line before it.
Verify a signature, here that of entry 5:
    ssh-keygen -Y verify -f allowed_signers -I "$(cat signatures/5.principal)" \\
      -n "$(cat signatures/5.namespace)" -s signatures/5.sig \\
      -Overify-time="$(cat signatures/5.time)" < signatures/5.document
Verify the last checkpoint:
    ssh-keygen -Y verify -f allowed_signers -I controller -n dsi-checkpoint \\
      -s checkpoint.sig < checkpoint.document
Verify all of it at once: sh check.sh (the same text is in docs/how-to/verify-a-journal-export.md).
Only a checkpoint kept ELSEWHERE reveals that the controller's administrator cut off the end of the journal and the
checkpoints together.
"""
