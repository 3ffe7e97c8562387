"""SYDAM World as it is operated (procedures S, Q, J, L): stop, start, check, integrate, rules, accounts."""
