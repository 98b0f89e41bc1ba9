"""What each model needs beside its name, and what the contract test is to find."""
