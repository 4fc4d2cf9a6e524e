"""A web app's backend on aiohttp: sends one question, prints the answer as it comes, without separators.

Usage: chat-sessions-client.py BASE_URL TOKEN QUESTION [SESSION_ID]

The session's number goes to standard error. Ends with 1 when the stream stops without its end mark.
"""
import asyncio
import sys

import aiohttp


async def main(base_url, token, question, session_id=None):
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": question}]}
    if session_id is not None:
        body["session_id"] = int(session_id)
    headers = {"Authorization": "Bearer " + token}
    async with aiohttp.ClientSession() as session:
        async with session.post(base_url + "/v1/chat/stream", json=body, headers=headers) as response:
            response.raise_for_status()
            print(response.headers["X-Session-Id"], file=sys.stderr)
            async for line in response.content:
                if line.startswith(b"data: "):
                    token_text = line[6:].decode("utf-8").strip()
                    if token_text == "[DONE]":
                        return 0
                    print(token_text, end="", flush=True)
    return 1


sys.exit(asyncio.run(main(*sys.argv[1:])))
