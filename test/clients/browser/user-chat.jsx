import { useState } from 'react';
import { createRoot } from 'react-dom/client';

function Chat({ api, userId, authToken }) {
  const [messages, setMessages] = useState([]);
  const [text, setText] = useState('');
  const [failure, setFailure] = useState('');
  const add = (message) => setMessages((known) => [...known, message]);

  async function send() {
    if (!text.trim()) return;
    add({ id: Date.now().toString(), role: 'user', content: text });
    setText('');
    setFailure('');
    try {
      const response = await fetch(`${api}/api/${userId}/chat`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${authToken}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ message: { content: text } }),
      });
      const data = await response.json();
      if (response.ok) add(data.message);
      else setFailure(data.error);
    } catch (error) {
      setFailure(`Network error: ${error.message}`);
    }
  }

  return (
    <div>
      {messages.map(({ id, role, content }) => (
        <div key={id} className={`message ${role}`}>
          {content}
        </div>
      ))}
      <input
        aria-label="Question"
        value={text}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={({ key }) => key === 'Enter' && send()}
      />
      <button type="button" onClick={send}>
        Send
      </button>
      <p role="alert">{failure}</p>
    </div>
  );
}

const given = new URLSearchParams(location.search);
createRoot(document.getElementById('root')).render(
  <Chat api={given.get('api') ?? ''} userId={given.get('user')} authToken={given.get('token')} />,
);
