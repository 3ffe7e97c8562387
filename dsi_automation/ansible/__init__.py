"""How playbooks reach the toolkit: ansible-runner and what the action plugins share."""
