"""What strategies answer with, and the pure rules on disclosures that they share."""
