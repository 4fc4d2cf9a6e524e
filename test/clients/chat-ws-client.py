"""A bot on python-websockets: asks for the history of a new thread, sends its question once it has seen a message, prints every frame.

Usage: chat-ws-client.py BASE_URL TOKEN QUESTION

Ends when the answer's message is there.
"""
import asyncio
import json
import sys
import uuid

import websockets


async def main(base_url, token, question):
    uri = "ws" + base_url[len("http"):] + "/chat/ws?token=" + token
    async with websockets.connect(uri) as websocket:
        thread_id = str(uuid.uuid4())
        await websocket.send(json.dumps({"type": "history", "thread_id": thread_id}))
        async for message in websocket:
            print(message, flush=True)
            if json.loads(message).get("type") == "message":
                await websocket.send(json.dumps({"type": "message", "thread_id": thread_id, "agent_id": None, "content": question}))
                break
        async for message in websocket:
            print(message, flush=True)
            if json.loads(message).get("type") == "message":
                break


asyncio.run(main(*sys.argv[1:]))
