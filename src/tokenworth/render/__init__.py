"""What the edges both draw: tables and plots."""
