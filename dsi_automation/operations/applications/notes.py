"""What runs on applications note in the journal, by name; `data` of each is made and read in `record.py` alone.

`application.begun`     {in_turn}: a run began; whether one server goes after the other, so that users lose nothing
`application.warned`    {stops_at, why, planned}: users were told that it stops, and when
`application.put_off`   {stops_at, why}: they were told that it does not stop then
`application.ended`     {pid, began_at, user, program, objects, working}: a session that held locks was ended
`application.left`      {the same, why: Text as JSON}: a session of the plan was not ended
`application.down`      {at, planned, why, since}: no server answers any more; `since`: when the incident began, if told
`application.stopping`  {server, at}: the order to stop follows; whoever resumes the run knows since when it may be down
`application.stopped`   {server, seconds, killed, at}
`application.starting`  {server, at, in_turn}: the order to start follows
`application.started`   {server, seconds, at}
`application.tested`    {tests: [Tested as JSON], conclusive, attempt, at, servers, log: {server: [lines]},
                        processes: {server: {pid, started_at} | null}}; `at`: when the test was conclusive, or given up
`application.up`        {at, seconds, release}: it answers again and its test was conclusive; closes what `down` opened
`application.message`   {shown: bool}: the application's own message
`release.begun`         {source, stage, release, sha256, signer, before: {server: release | null},
                        scripts: [{file, sha256, kept, undo, undo_kept}]}: what an integration brings, and what was
                        there; `kept`: digests of the texts in the state folder
`release.put`           {server, release, sha256}
`release.script`        {source, release, file, sha256, undo: bool, seconds}
`release.switched`      {server, before, after}
`release.rolling_back`  {release, why}: from here on the run goes back, whoever resumes it
`release.rolled_back`   {release, files: bool, scripts: [files], by_hand: [sentences]}
`release.deployed`      {source, stage, release, sha256, signer, before}: it is in use there, and tested
`rules.updated`         {rules, before: sha256, after: sha256, added, changed, removed, file}
`account.documents`     {case, documents: {name: reference}, missing: [names]}
`account.done`          {case, login, profile, office}
"""

from __future__ import annotations

from typing import Final

BEGUN: Final = "application.begun"
WARNED: Final = "application.warned"
PUT_OFF: Final = "application.put_off"
SESSION_ENDED: Final = "application.ended"
SESSION_LEFT: Final = "application.left"
DOWN: Final = "application.down"
STOPPING: Final = "application.stopping"
STOPPED: Final = "application.stopped"
STARTING: Final = "application.starting"
STARTED: Final = "application.started"
TESTED: Final = "application.tested"
UP: Final = "application.up"
MESSAGE: Final = "application.message"
RELEASE_BEGUN: Final = "release.begun"
PUT: Final = "release.put"
SCRIPT: Final = "release.script"
SWITCHED: Final = "release.switched"
ROLLING_BACK: Final = "release.rolling_back"
ROLLED_BACK: Final = "release.rolled_back"
DEPLOYED: Final = "release.deployed"
RULES: Final = "rules.updated"
DOCUMENTS: Final = "account.documents"
ACCOUNT: Final = "account.done"
