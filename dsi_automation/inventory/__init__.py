"""The Ansible inventory read once into typed targets, sites, people and policy."""
