"""A web app's backend on aiohttp: uploads a PDF to a session, prints the answer.

Usage: upload-client.py BASE_URL TOKEN SESSION_ID FILE
"""
import asyncio
import sys

import aiohttp


async def main(base_url, token, session_id, path):
    headers = {"Authorization": "Bearer " + token}
    async with aiohttp.ClientSession() as session:
        with open(path, "rb") as document:
            url = base_url + "/v1/chat/sessions/" + session_id + "/upload"
            async with session.post(url, headers=headers, data={"file": document}) as response:
                print(await response.text())
                return 0 if response.status == 200 else 1


sys.exit(asyncio.run(main(*sys.argv[1:])))
