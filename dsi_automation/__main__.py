"""`python -m dsi_automation` is `dsi`."""

from dsi_automation.cli.main import main

if __name__ == "__main__":
    main()
