"""What goes where: frozen values, their JSON, the file they live in, pure lookup and balancing."""

__all__: list[str] = []
