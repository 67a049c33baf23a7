"""What a scoring job survives: processes are killed, disks fill up, the network is cut, and no flight is lost."""
