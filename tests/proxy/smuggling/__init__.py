"""Request smuggling as data: what was published, gathered case by case, and what must hold."""
