"""What a bare client sends to the simulated tenant: requests with a token, no library of Microsoft's in between."""

from __future__ import annotations

from typing import Any

import requests

from dsi_automation.lab.graph.loopback import GraphEndpoint

SCOPE = "https://graph.microsoft.com/.default"
STANDARD = "18181a46-0d4e-45cd-891e-60aabd171b4e"
DESKLESS = "4b585984-651b-448a-9e53-3b10f069cf7f"
ENTERPRISE = "6fd2c87f-b296-42f0-b197-1e91e994b900"
PASSWORD = "Zq8!kdjeur9"


class Caller:
    """Signs in with the secret when first needed, and calls."""

    def __init__(self, endpoint: GraphEndpoint) -> None:
        self.endpoint = endpoint
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(endpoint.ca_file)

    def sign_in(self) -> Caller:
        """Take a token with the present permissions."""
        answer = self.token(client_secret=self.endpoint.secret)
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return self

    def token(self, tenant: str | None = None, **form: str) -> requests.Response:
        """Ask for a token."""
        asked = {"grant_type": "client_credentials", "client_id": self.endpoint.client_id, "scope": SCOPE, **form}
        url = f"{self.endpoint.authority}/{tenant or self.endpoint.tenant_id}/oauth2/v2.0/token"
        return self.session.post(url, data=asked, timeout=30)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Call Graph."""
        if body is not None:
            options["json"] = body
        return self.session.request(method, self.endpoint.base_url + path, timeout=30, **options)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.call("GET", path, headers=headers)

    def post(self, path: str, body: Any) -> requests.Response:
        return self.call("POST", path, body)

    def batch(self, *items: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Send a batch; return its answers by id."""
        answer = self.post("/$batch", {"requests": list(items)})
        assert answer.status_code == 200, answer.text
        return {row["id"]: row for row in answer.json()["responses"]}

    def create(self, name: str = "awa.kone", **changes: Any) -> dict[str, Any]:
        """Create a user."""
        answer = self.post("/users", new_user(name, **changes))
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def license(self, user: str, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> requests.Response:
        """Assign and remove licences."""
        body = {"addLicenses": [{"skuId": sku, "disabledPlans": []} for sku in add], "removeLicenses": list(remove)}
        return self.post(f"/users/{user}/assignLicense", body)


def new_user(name: str = "awa.kone", **changes: Any) -> dict[str, Any]:
    """Return the body of POST /users."""
    body = {
        "accountEnabled": True,
        "displayName": "KONÉ Awa",
        "mailNickname": name,
        "userPrincipalName": f"{name}@douanes.lab",
        "usageLocation": "CI",
        "passwordProfile": {"password": PASSWORD, "forceChangePasswordNextSignIn": True},
    }
    return {**body, **changes}


def error(answer: requests.Response) -> tuple[int, str, str]:
    """Return status, code and message of a refusal."""
    told = answer.json()["error"]
    return answer.status_code, told["code"], told["message"]
