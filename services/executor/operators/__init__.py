"""What people ask for: halts, and orders to be cancelled, replaced or settled. Each act has one answer."""
