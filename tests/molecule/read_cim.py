"""Read Win32_ComputerSystem of a machine with plain pywinrm: usage: read_cim.py ADDRESS CA_FILE USER PASSWORD_FILE."""

import json
import sys
from pathlib import Path

import xmltodict
from defusedxml import ElementTree
from winrm.protocol import Protocol

CLASS = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_ComputerSystem"
ENUMERATE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate"


def main():
    """Print name and domain as JSON."""
    address, ca_file, user, password_file = sys.argv[1:]
    protocol = Protocol(
        f"https://{address}:5986/wsman",
        transport="ntlm",
        username=user,
        password=Path(password_file).read_text(encoding="utf-8").strip(),
        ca_trust_path=ca_file,
    )
    header = protocol._get_soap_header(resource_uri=CLASS, action=ENUMERATE)
    body = {"n:Enumerate": {"w:OptimizeEnumeration": {}, "w:MaxElements": "1"}}
    message = xmltodict.unparse({"env:Envelope": {**header, "env:Body": body}})
    answer = ElementTree.fromstring(protocol.send_message(message))
    found = {item.tag.rpartition("}")[2]: item.text for item in answer.iter() if CLASS in item.tag}
    sys.stdout.write(json.dumps({name: found[name] for name in ("Name", "Domain")}))


if __name__ == "__main__":
    main()
