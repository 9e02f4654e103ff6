"""Points of serving from the files of benchmark tools: each tool has a file, `read` finds the right one."""
