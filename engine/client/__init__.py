"""A small client of the job service, of this engine's or the platform's."""

from engine.client.service import Client, ServiceError

__all__ = ["Client", "ServiceError"]
