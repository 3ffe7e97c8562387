"""Microsoft 365 over Microsoft Graph v1.0; needs the extra `m365`, imported when it is used."""
