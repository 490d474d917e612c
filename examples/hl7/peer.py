"""A system that receives HL7 messages over MLLP, made with the Python package hl7.

    python3 peer.py [PORT [ENCODING]]

It accepts messages for the receiving application LAB (MSH-5) and rejects all others. Port 0 is a free port. When it
listens, it prints the port. The package reads messages in one encoding, whatever MSH-18 says: UTF-8 by default.
"""

import asyncio
import sys

from hl7.mllp import start_hl7_server


async def serve(reader, writer):
    """Acknowledges messages until the sender closes the connection."""
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            receiver = str(message.segment("MSH")(5))
            if receiver == "LAB":
                reply = message.create_ack("AA")
            else:
                reply = message.create_ack("AR")
                reply.segment("MSA").assign_field(f"unknown application {receiver}", 3)
            writer.writemessage(reply)
            await writer.drain()
    except UnicodeDecodeError as error:
        print(f"closing the connection: {error.reason}", file=sys.stderr)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main(port=2575, encoding="utf-8"):
    server = await start_hl7_server(serve, host="127.0.0.1", port=int(port), encoding=encoding)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


try:
    asyncio.run(main(*sys.argv[1:]))
except KeyboardInterrupt:
    pass
