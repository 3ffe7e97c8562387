"""Operations on people's accounts: mailboxes, licences, and leaving (procedures E and L)."""
