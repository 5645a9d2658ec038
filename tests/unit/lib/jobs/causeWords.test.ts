import { describe, expect, it } from '@jest/globals';
import {
  CAUSES,
  causeOf,
  exitCause,
  memoryCause,
  startCause,
  wordsOf,
} from '../../../../lib/jobs/causeWords.ts';

describe('the words for why a container job ended', () => {
  it.each([
    ['No such image: local/nosuch:latest', 'image'],
    ['no such image: docker.io/local/nosuch: image not known', 'image'],
    ['pull access denied for nosuch, repository does not exist', 'image'],
    ['invalid reference format: repository name (library/UPPER) must be lowercase', 'imageName'],
    ['ContainerSpec: "UPPER case" is not a valid repository/tag', 'imageName'],
    ['runc create failed: exec: "nosuch": executable file not found in $PATH', 'command'],
    ['unable to find user nosuch: no matching entries in passwd file', 'command'],
    ['invalid mount config for type "bind": bind source path does not exist: /x', 'mount'],
    ['error mounting "/x" to rootfs: no such file or directory', 'mount'],
    ['statfs /x: no such file or directory', 'mount'],
    ['no suitable node (insufficient resources on 1 node)', 'place'],
    ['could not select device driver "" with capabilities: [[gpu]]', 'place'],
    [
      'failed to create containerd task: failed to create shim task: context canceled',
      'interrupted',
    ],
    ['failed to start containerd task "x": context deadline exceeded', 'unknown'],
    ['something else', 'refused'],
  ] as const)('take what an engine says, "%s", for: %s', (said, word) => {
    expect(startCause(said)).toBe(`${CAUSES[word]}: ${said}`);
  });

  it('are another kind where the engine says nothing that is known', () => {
    expect(startCause('something', 'waits')).toBe('it waits: something');
  });

  it('tell the exit code, and the signal that a shell means by it', () => {
    expect(exitCause(3)).toBe('non-zero exit (3)');
    expect(exitCause(143)).toBe('non-zero exit (143): as after signal 15');
    expect(exitCause(192)).toBe('non-zero exit (192): as after signal 64');
  });

  it('tell of no signal that there is none of', () => {
    expect(exitCause(193)).toBe('non-zero exit (193)');
    expect(exitCause(255)).toBe('non-zero exit (255)');
  });

  it('tell a container that ran out of memory from one of its processes', () => {
    expect(memoryCause(137, '16Mi')).toBe('the container ran out of memory: its limit is 16Mi');
    expect(memoryCause(137, undefined)).toBe('the container ran out of memory');
    expect(memoryCause(5, '16Mi')).toBe(
      'a process of the container ran out of memory: its limit is 16Mi; the command then ended with 5',
    );
  });

  it('are followed by the engine, on one line of a length that a table can hold', () => {
    expect(causeOf('node', ' was\n drained: ')).toBe('ended by its node: was drained');
    expect(causeOf('node', null)).toBe('ended by its node');
    expect(causeOf('node', 'x'.repeat(5000)).length).toBeLessThan(700);
  });

  it('are found again in a cause, and in no other text', () => {
    expect(wordsOf('non-zero exit (3)')).toBe(CAUSES.exit);
    expect(wordsOf('time limit 2 s')).toBe(CAUSES.timeLimit);
    expect(wordsOf('removed by somebody else: the pod')).toBe(CAUSES.removed);
    expect(wordsOf('removed by somebody elsewhere')).toBeUndefined();
    expect(wordsOf('it waits')).toBe(CAUSES.waits);
    expect(wordsOf('something')).toBeUndefined();
  });
});
