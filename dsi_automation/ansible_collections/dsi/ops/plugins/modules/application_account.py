# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: application_account
short_description: Create, change or disable a login of an application under an approval
description:
  - Holds the documents of the request against the list of the case, then creates, changes or disables the login; the
    default password is sealed and must be changed at first use.
  - Carries out the operation C(application.account) (procedure L), as C(dsi run) does, under an approved request.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.request]
options:
  logins:
    description: Logins, each with its application, as in C(kone.a@sydam); with a request they may be left out, the
      request says which.
    type: list
    elements: str
    default: []
  case:
    description: One of C(create), C(change) and C(disable).
    type: str
    default: ""
  name:
    description: Name of the person.
    type: str
    default: ""
  profile:
    description: Profile in the application.
    type: str
    default: ""
  office:
    description: Code of the customs office.
    type: str
    default: ""
  external:
    description: Whether the person is no customs officer.
    type: bool
    default: false
  documents:
    description: The documents that came with the request, by name, with their references.
    type: dict
    default: {}
  requester:
    description: Who asked, by hierarchy, and is told of the end; a name and an address, as in a mail.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Create, change or disable a login of an application under an approval
  dsi.ops.application_account:
    request: REQ-20261122-7K3F
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.targets]
"""
