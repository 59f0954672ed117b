"""What ``maintenance:daily`` looks at, and how it says what it finds. Changes nothing."""
