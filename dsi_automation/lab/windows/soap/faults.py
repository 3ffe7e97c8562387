"""Every fault the simulated workstation can answer, in the shapes Windows uses.

Three shapes (MS-WSMV 2.2.4.43 WSManFault, 2.2.4.24 MSFT_WmiError; DSP0226 section 14): `f:WSManFault` with a code,
possibly with the provider's own error inside; `MSFT_WmiError`; a subcode with a reason and nothing else.
Codes and names are those of wsmerror.h and wbemcli.h. A French machine gives its reason in French.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T
from dsi_automation.lab.windows.soap import names
from dsi_automation.lab.windows.soap.xml import clean, envelope

_PLUGIN: Final = "%systemroot%\\system32\\WsmWmiPl.dll"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One fault: who is at fault, the subcode, the Windows code (None: shape without a code), detail, reasons."""

    value: str
    subcode: str
    code: int | None
    detail: str | None
    en: str
    fr: str


def _sender(subcode: str, code: int | None, detail: str | None, en: str, fr: str) -> FaultKind:
    return FaultKind("s:Sender", subcode, code, detail, en, fr)


def _receiver(subcode: str, code: int | None, detail: str | None, en: str, fr: str) -> FaultKind:
    return FaultKind("s:Receiver", subcode, code, detail, en, fr)


SCHEMA = _sender(
    "w:SchemaValidationError",
    None,
    None,
    "The SOAP XML in the message does not match the corresponding XML schema definition. {what}",
    "Le XML SOAP du message ne correspond pas à la définition du schéma XML. {what}",
)
MISSING_HEADER = _sender(
    "a:MessageInformationHeaderRequired",
    None,
    None,
    "The WS-Management service cannot process the request. The {what} header is required.",
    "Le service WS-Management ne peut pas traiter la demande. L’en-tête {what} est obligatoire.",
)
INVALID_HEADER = _sender(
    "a:InvalidMessageInformationHeader",
    None,
    None,
    "The WS-Management service cannot process the request. The {what} header is not valid.",
    "Le service WS-Management ne peut pas traiter la demande. L’en-tête {what} n’est pas valide.",
)
NOT_UNDERSTOOD = FaultKind(
    "s:MustUnderstand",
    "",
    None,
    None,
    "The WS-Management service cannot process the request. The header {what} must be understood and is not.",
    "Le service WS-Management ne peut pas traiter la demande. L’en-tête {what} n’est pas compris.",
)
ENVELOPE_TOO_SMALL = _sender(
    "w:EncodingLimit",
    2150858785,
    "MinimumEnvelopeLimit",
    "The WS-Management service does not support the requested maximum envelope size: it is below 8192.",
    "Le service WS-Management ne gère pas la taille maximale d’enveloppe demandée : elle est inférieure à 8192.",
)
ANSWER_TOO_LARGE = _sender(
    "w:EncodingLimit",
    2150858784,
    "MaxEnvelopeSizeExceeded",
    "The response that the WS-Management service computed exceeds the maximum envelope size of the request.",
    "La réponse calculée par le service WS-Management dépasse la taille maximale d’enveloppe de la demande.",
)
UNSUPPORTED = _sender(
    "w:UnsupportedFeature",
    2150858776,
    None,
    "The WS-Management service does not support the feature: {what}.",
    "Le service WS-Management ne prend pas en charge la fonctionnalité : {what}.",
)
RESOURCE = _sender(
    "a:DestinationUnreachable",
    2150858752,
    "InvalidResourceURI",
    "The WS-Management service cannot process the request. The resource URI or the instance was not found: {what}",
    "Le service WS-Management ne peut pas traiter la demande. Ressource ou instance introuvable : {what}",
)
ACTION = _sender(
    "a:ActionNotSupported",
    2150858753,
    "InvalidAction",
    "The WS-Management service cannot process the request because the action is not supported: {what}",
    "Le service WS-Management ne peut pas traiter la demande, car l’action n’est pas prise en charge : {what}",
)
SELECTORS = _sender(
    "w:InvalidSelectors",
    2150858813,
    "InsufficientSelectors",
    "The WS-Management service cannot process the request because the selectors are not valid: {what}",
    "Le service WS-Management ne peut pas traiter la demande, car les sélecteurs ne sont pas valides : {what}",
)
UNEXPECTED_SELECTORS = _sender(
    "w:InvalidSelectors",
    2150858843,
    "UnexpectedSelectors",
    "The WS-Management service cannot process the request because it contains unexpected selectors: {what}",
    "Le service WS-Management ne peut pas traiter la demande : sélecteurs inattendus : {what}",
)
SINGLETON = _sender(
    "w:InvalidSelectors",
    2150859002,
    "UnexpectedSelectors",
    "The WinRM client cannot process the request. The resource is a singleton and takes no keys.",
    "Le client WinRM ne peut pas traiter la demande. La ressource est un singleton et n’accepte aucune clé.",
)
FILTER = _sender(
    "w:CannotProcessFilter",
    2150858778,
    None,
    "The WS-Management service cannot process the request. The filter could not be processed.",
    "Le service WS-Management ne peut pas traiter la demande. Le filtre n’a pas pu être traité.",
)
DIALECT = _sender(
    "n:FilterDialectRequestedUnavailable",
    2150858777,
    None,
    "The WS-Management service does not support the filter dialect.",
    "Le service WS-Management ne prend pas en charge le dialecte du filtre.",
)
CONTEXT = _receiver(
    "n:InvalidEnumerationContext",
    2150858756,
    None,
    "The supplied enumeration context is not valid.",
    "Le contexte d’énumération fourni n’est pas valide.",
)
PARAMETER = _sender(
    "w:InvalidParameter",
    2150858889,
    None,
    "The WS-Management service cannot process the request. A parameter of the method is not valid: {what}",
    "Le service WS-Management ne peut pas traiter la demande. Paramètre de méthode non valide : {what}",
)
TIMED_OUT = _receiver(
    "w:TimedOut",
    2150858793,
    None,
    "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.",
    "Le service WS-Management ne peut pas terminer l’opération dans le délai spécifié par OperationTimeout.",
)
ACCESS = _sender("w:AccessDenied", 5, None, "Access is denied.", "Accès refusé.")
OPERATIONS_QUOTA = _receiver(
    "w:QuotaLimit",
    2150859174,
    None,
    "The WS-Management service cannot process the request. The maximum number of concurrent operations for this "
    "user has been exceeded. Close existing operations for this user, or raise the quota for this user.",
    "Le service WS-Management ne peut pas traiter la demande. Le nombre maximal d’opérations simultanées pour cet "
    "utilisateur a été dépassé. Fermez des opérations existantes ou augmentez le quota de cet utilisateur.",
)
INTERNAL = _receiver("w:InternalError", None, None, "{what}", "{what}")

WBEM_NOT_FOUND: Final = 0x80041002
WBEM_ACCESS_DENIED: Final = 0x80041003
WBEM_INVALID_CLASS: Final = 0x80041010
WBEM_INVALID_QUERY: Final = 0x80041017
WBEM_INVALID_PARAMETER: Final = 0x80041008
WBEM_SHUTTING_DOWN: Final = 0x80041033
IN_USE: Final = 0x80070020
NONE_MAPPED: Final = 0x80070534
ALREADY_EXISTS: Final = 0x800700B7
WBEM_REASONS: Final = {
    WBEM_NOT_FOUND: ("Not found ", "Introuvable "),
    WBEM_ACCESS_DENIED: ("Access denied ", "Accès refusé "),
    WBEM_INVALID_PARAMETER: ("Invalid parameter ", "Paramètre non valide "),
    WBEM_INVALID_CLASS: ("Invalid class ", "Classe non valide "),
    WBEM_INVALID_QUERY: ("Invalid query ", "Requête non valide "),
    WBEM_SHUTTING_DOWN: ("Shutting down ", "Arrêt en cours "),
    ALREADY_EXISTS: (
        "Cannot create a file when that file already exists. ",
        "Impossible de créer un fichier déjà existant. ",
    ),
    NONE_MAPPED: (
        "No mapping between account names and security IDs was done. ",
        "Le mappage entre les noms de compte et les ID de sécurité n’a pas été effectué. ",
    ),
    IN_USE: (
        "The process cannot access the file because it is being used by another process. ",
        "Le processus ne peut pas accéder au fichier car ce fichier est utilisé par un autre processus. ",
    ),
}


@dataclass(frozen=True, slots=True)
class ProviderError:
    """What the WMI provider said: `__ExtendedStatus` (MS-WSMV 4.1 examples; WMI's documentation of the class)."""

    status: int
    operation: str
    parameter: str = ""
    provider: str = "WinMgmt"


class SoapFaultError(RefusedError):
    """The request ends in a fault.

    Args:
        kind: which.
        said: what stands for `{what}` in the reason; never a secret.
        provider: the provider's own error, for the shape that carries one.
        wmi: an HRESULT answered in the `MSFT_WmiError` shape instead.
    """

    def __init__(
        self, kind: FaultKind, said: str = "", *, provider: ProviderError | None = None, wmi: int | None = None
    ) -> None:
        super().__init__(T("The simulated workstation answers a fault: {reason}", reason=kind.en.format(what=said)))
        self.kind = kind
        self.said = said
        self.provider = provider
        self.wmi = wmi


def wbem_fault(status: int, operation: str, *, modern: bool) -> SoapFaultError:
    """Return a WMI error: as MSFT_WmiError from Windows 8 on, as WSManFault before."""
    if modern:
        return SoapFaultError(INTERNAL, wmi=status)
    en, fr = WBEM_REASONS[status]
    kind = _receiver("w:InternalError", status, None, en, fr)
    return SoapFaultError(kind, provider=ProviderError(status, operation))


def render(fault: SoapFaultError, *, relates_to: str, machine: str, language: str) -> bytes:
    """Return the envelope of a fault."""
    kind = fault.kind
    reason = (kind.fr if language.startswith("fr") else kind.en).format(what=fault.said)
    if fault.wmi is not None:
        reason, detail = "", _wmi_error(fault.wmi, language)
    else:
        detail = _wsman_fault(fault, reason, machine, french=language.startswith("fr"))
        if kind.detail:
            detail = f"<w:FaultDetail>{names.FAULT_DETAIL}{kind.detail}</w:FaultDetail>{detail}"
    subcode = f"<s:Subcode><s:Value>{kind.subcode}</s:Value></s:Subcode>" if kind.subcode else ""
    text = f">{clean(reason)}</s:Text>" if reason else "/>"
    body = (
        f"<s:Fault><s:Code><s:Value>{kind.value}</s:Value>{subcode}</s:Code>"
        f'<s:Reason><s:Text xml:lang="{language}"{text}</s:Reason>'
        + (f"<s:Detail>{detail}</s:Detail>" if detail else "")
        + "</s:Fault>"
    )
    action = names.ADDRESSING_FAULT_ACTION if kind.subcode.startswith("a:") else names.WSMAN_FAULT_ACTION
    return envelope(action, relates_to, body, language)


def _wsman_fault(fault: SoapFaultError, reason: str, machine: str, *, french: bool) -> str:
    if fault.kind.code is None:
        return ""
    start = f'<f:WSManFault xmlns:f="{names.FAULT}" Code="{fault.kind.code}" Machine="{clean(machine)}"><f:Message>'
    if fault.provider is None:
        return f"{start}{clean(reason)}</f:Message></f:WSManFault>"
    said = fault.provider
    status = (
        '<p:__ExtendedStatus xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/__ExtendedStatus" '
        f'xmlns:xsi="{names.XSI}" xsi:type="p:__ExtendedStatus_Type"><p:Description xsi:nil="true"/>'
        f"<p:Operation>{clean(said.operation)}</p:Operation><p:ParameterInfo>{clean(said.parameter)}</p:ParameterInfo>"
        f"<p:ProviderName>{clean(said.provider)}</p:ProviderName><p:StatusCode>{said.status}</p:StatusCode>"
        "</p:__ExtendedStatus>"
    )
    provider_said = WBEM_REASONS[said.status][french]
    inner = (
        f'<f:WSManFault Code="{said.status}" Machine="{clean(machine)}"><f:Message>{clean(provider_said)}</f:Message>'
        "</f:WSManFault>"
    )
    return (
        f'{start}<f:ProviderFault provider="WMI Provider" path="{_PLUGIN}">{inner}'
        f"<f:ExtendedError>{status}</f:ExtendedError></f:ProviderFault></f:Message></f:WSManFault>"
    )


def _wmi_error(status: int, language: str) -> str:
    message = WBEM_REASONS[status][language.startswith("fr")]
    nil = 'xsi:nil="true"'
    return (
        f'<p:MSFT_WmiError xmlns:xsi="{names.XSI}" xmlns:b="{names.CIM_BINDING}" xmlns:p="{names.WMI_ERROR}" '
        f'xmlns:cim="{names.CIM}" b:IsCIM_Error="true" xsi:type="p:MSFT_WmiError_Type">'
        f'<p:CIMStatusCode xsi:type="cim:cimUnsignedInt">1</p:CIMStatusCode><p:ErrorSource {nil}/>'
        f'<p:Message xsi:type="cim:cimString">{clean(message)}</p:Message>'
        f'<p:MessageID xsi:type="cim:cimString">HRESULT 0x{status:08x}</p:MessageID>'
        f'<p:OwningEntity {nil}/><p:error_Category xsi:type="cim:cimUnsignedInt">0</p:error_Category>'
        f'<p:error_Code xsi:type="cim:cimUnsignedInt">{status}</p:error_Code>'
        f'<p:error_Type xsi:type="cim:cimString">HRESULT</p:error_Type>'
        f'<p:error_WindowsErrorMessage xsi:type="cim:cimString">{clean(message)}</p:error_WindowsErrorMessage>'
        "</p:MSFT_WmiError>"
    )
